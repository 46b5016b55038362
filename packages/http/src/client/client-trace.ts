export interface ClientTrace {}
